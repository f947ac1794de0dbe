from django.db import migrations, models


class Migration(migrations.Migration):
    """`message` hid the mail's own Message-ID: a foreign key of that name takes the attribute message_id."""

    dependencies = [("complaints", "0011_resolvers")]

    operations = [
        migrations.RemoveConstraint(model_name="reportermail", name="reporter_mail_once"),
        migrations.RenameField(model_name="reportermail", old_name="message", new_name="incoming"),
        migrations.AddField(
            model_name="reportermail",
            name="message_id",
            field=models.CharField(default="", max_length=200, unique=True),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="reportermail",
            constraint=models.UniqueConstraint(fields=("incoming", "kind"), name="reporter_mail_once"),
        ),
    ]
