"""Who may end every link, and an index for what is wrong at all links together within an hour."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("intake", "0019_trail_chain")]

    operations = [
        migrations.AlterModelOptions(
            name="invitation",
            options={
                "ordering": ["-created_at", "id"],
                "permissions": [
                    ("send_invitation", "Can send a patient the link to the form"),
                    ("end_all_links", "Can end every link that patients hold"),
                ],
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
            },
        ),
        migrations.AddIndex(
            model_name="accessevent",
            index=models.Index(
                condition=models.Q(("kind__in", ["wrong-date", "wrong-code"])),
                fields=["at"],
                name="access_event_wrong",
            ),
        ),
    ]
