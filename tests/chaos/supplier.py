"""A stub supplier as a process: `python -m tests.chaos.supplier notify`; prints its address on one line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shielding.settings")
    import django

    django.setup()
    from letters.transports.notify.stub import NotifyStub
    from letters.transports.print_supplier.stub import PrintStub
    from letters.transports.stubs import serve

    serve({"notify": NotifyStub, "printer": PrintStub}[sys.argv.pop(1)])
