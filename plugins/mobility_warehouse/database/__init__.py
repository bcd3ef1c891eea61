"""The warehouse's database: fixed tables, declared tables, roles, migrations, the embedded server."""
