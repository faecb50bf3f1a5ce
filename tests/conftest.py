pytest_plugins = ["tests.fixtures.database", "tests.fixtures.embedded_postgres"]
