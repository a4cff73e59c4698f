from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("leads", "0005_content_lists_custom_fields")]

    operations = [
        migrations.CreateModel(
            name="RescoreRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("what", models.CharField(help_text="A key of leads.telling.CONCERNED", max_length=20)),
                ("subject", models.JSONField(help_text="The parameters of its statement")),
                ("at", models.DateTimeField()),
                (
                    "told_to",
                    models.BigIntegerField(default=0, help_text="Leads up to this id have been asked for"),
                ),
            ],
        ),
        migrations.AddField(
            model_name="enrichmentupload", name="body", field=models.BinaryField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="enrichmentupload",
            name="columns",
            field=models.JSONField(blank=True, default=dict, help_text="{column of the file: field}"),
        ),
        migrations.AddField(
            model_name="enrichmentupload",
            name="finished_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="enrichmentupload",
            name="done",
            field=models.PositiveIntegerField(default=0, help_text="Rows that have been worked off"),
        ),
        migrations.AddIndex(
            model_name="enrichmentupload",
            index=models.Index(
                models.F("id"),
                condition=models.Q(("finished_at__isnull", True)),
                name="enrichment_upload_unfinished",
            ),
        ),
    ]
