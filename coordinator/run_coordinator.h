// A coordinator from its kit to its exit code: what synod-coordinator and the tests' own program share.
#pragma once

#include <string>
#include <vector>

#include "common/core/fail_points.h"

namespace synod {

struct CoordinatorOptions {
  std::string kit;
  std::string worker_program;  // empty: what the kit says, else the program beside this one
  std::vector<std::string> worker_arguments;
};

// Prints "listening on port N" to standard error once it does. The exit code.
int RunCoordinator(const CoordinatorOptions& options, FailPoints& fail_points);
// Reads kit and configuration and says what is wrong, without opening the port.
int CheckCoordinator(const CoordinatorOptions& options);

}  // namespace synod
