//! The broker against a real RabbitMQ. `mod broker` can move to another test binary as it is.

mod broker;
