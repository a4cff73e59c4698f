from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("leads", "0006_rescore_request_and_upload_progress")]

    operations = [
        migrations.AlterModelOptions(
            name="enrichmentupload",
            options={
                "verbose_name": "upload of purchased data",
                "verbose_name_plural": "purchased data",
            },
        ),
    ]
