"""The clinic's figures: how often a lesson was opened, and indexes to count by time (ADR 0023)."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('intake', '0009_booking_and_reminders'),
    ]

    operations = [
        migrations.CreateModel(
            name='LessonOpening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField(verbose_name='week')),
                ('lesson', models.SlugField(db_index=False, max_length=80, verbose_name='lesson')),
                ('number', models.PositiveIntegerField(default=0, verbose_name='opened')),
            ],
            options={
                'verbose_name': 'lesson opened',
                'verbose_name_plural': 'lessons opened',
                'permissions': [('see_figures', "Can see the clinic's figures: counts, never a patient")],
            },
        ),
        migrations.AddIndex(
            model_name='invitation',
            index=models.Index(fields=['created_at'], name='invitation_made'),
        ),
        migrations.AddIndex(
            model_name='questionnaireresponse',
            index=models.Index(condition=models.Q(('authored__isnull', False)), fields=['authored'], name='response_sent'),
        ),
        migrations.AddIndex(
            model_name='redflag',
            index=models.Index(fields=['raised_at'], name='red_flag_raised'),
        ),
        migrations.AddConstraint(
            model_name='lessonopening',
            constraint=models.UniqueConstraint(fields=('week', 'lesson'), name='lesson_opening_once_a_week'),
        ),
    ]
