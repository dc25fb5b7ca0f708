// The first message of a worker: which program it is and which process, so that a daemon never talks to another
// version or to somebody else's process.
#pragma once

#include <cstdint>
#include <string>

#include "common/core/result.h"

namespace synod {

// Changes with the form of the messages.
inline constexpr std::uint32_t kWorkerProtocol = 1;

std::string WorkerGreeting(std::int64_t process_id);
// Refused, saying what differs.
Status CheckWorkerGreeting(std::string_view text, std::int64_t process_id);

}  // namespace synod
