//! Private PostgreSQL and RabbitMQ instances, for `docket dev`, the demo and the tests.
