"""Generated from the .proto files beside it; `wire.codec` and the two gRPC ends alone use it."""
