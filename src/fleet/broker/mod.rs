//! RabbitMQ: topology, session supervisor, publisher, consumer. The only folder that names lapin.
