"""The warehouse's database: fixed tables, declared tables, roles, migrations, the embedded server."""

from mobility_warehouse.database.infinity import register

register()
