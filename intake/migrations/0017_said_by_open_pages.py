from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0016_tablet'),
    ]

    operations = [
        migrations.AddField(
            model_name='questionnaireresponse',
            name='written',
            field=models.JSONField(db_default={}, default=dict, verbose_name='said by open pages'),
        ),
    ]
