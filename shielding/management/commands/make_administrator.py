"""`make_administrator`: the first administrator of a deployment, who makes everybody else in Django admin."""

import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from shielding.accounts.actions import make_user
from shielding.accounts.models import Organisation, Role


class Command(BaseCommand):
    help = "Make an administrator at the national team; asks for the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument("--organisation", default="National team", help="the name of the national team")

    def handle(self, *args: Any, **options: Any) -> None:
        password = getpass.getpass("Password: ")
        try:
            validate_email(options["email"])
            validate_password(password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if getpass.getpass("The same again: ") != password:
            raise CommandError("The two passwords are not the same.")
        centre, _ = Organisation.objects.get_or_create(
            code="CENTRE", defaults={"name": options["organisation"], "kind": Organisation.Kind.CENTRE}
        )
        make_user(
            email=options["email"],
            name=options["name"],
            password=password,
            organisation=centre,
            role=Role.ADMINISTRATOR,
        )
        self.stdout.write(f"{options['email']} can sign in and open Administration.")
