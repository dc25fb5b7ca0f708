// Between the structs of messages.h and the generated Protobuf types; only this module's .cpp files include it.
#pragma once

#include <wire_generated/control.pb.h>

#include <cstdint>

#include "common/core/result.h"
#include "common/wire/codec.h"

namespace synod {

proto::Control ToProto(const Control& control);

// Checks every field: ranges of enumerations and numbers, lengths of digests and texts, UTF-8, counts.
Result<Control> FromProto(const proto::Control& control);

}  // namespace synod
