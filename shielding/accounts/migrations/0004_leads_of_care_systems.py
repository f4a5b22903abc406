from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_central_clinicians"),
    ]

    operations = [
        migrations.AlterField(
            model_name="membership",
            name="role",
            field=models.CharField(
                choices=[
                    ("CENTRAL_OPERATOR", "Central operator"),
                    ("CENTRAL_CLINICIAN", "Central clinician"),
                    ("PRACTICE_STAFF", "Practice staff"),
                    ("GP", "GP"),
                    ("COORDINATOR", "Care coordinator"),
                    ("LA_STAFF", "Local authority staff"),
                    ("ICS_LEAD", "Integrated care system lead"),
                    ("ADMINISTRATOR", "Administrator"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="membershipevent",
            name="role",
            field=models.CharField(
                choices=[
                    ("CENTRAL_OPERATOR", "Central operator"),
                    ("CENTRAL_CLINICIAN", "Central clinician"),
                    ("PRACTICE_STAFF", "Practice staff"),
                    ("GP", "GP"),
                    ("COORDINATOR", "Care coordinator"),
                    ("LA_STAFF", "Local authority staff"),
                    ("ICS_LEAD", "Integrated care system lead"),
                    ("ADMINISTRATOR", "Administrator"),
                ],
                max_length=20,
            ),
        ),
    ]
