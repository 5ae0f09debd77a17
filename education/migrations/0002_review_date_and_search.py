import education.lessons.models
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('education', '0001_initial'),
    ]

    operations = [
        # Trusted since Postgres 13: the owner of the database may create it, and where it exists nothing happens.
        TrigramExtension(),
        migrations.AddField(
            model_name='lesson',
            name='next_review_on',
            field=models.DateField(blank=True, help_text='Readers see it; after it the text is overdue.', null=True, verbose_name='next review'),
        ),
        migrations.AlterField(
            model_name='lesson',
            name='slug',
            field=models.SlugField(max_length=80, unique=True, validators=[education.lessons.models.validate_slug], verbose_name='address'),
        ),
    ]
