//! What a city, a meeting, an item and a document are.
