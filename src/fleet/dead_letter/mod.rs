//! docket.dead, the projection of the dead letters (R5).
