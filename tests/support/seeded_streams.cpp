#include "tests/support/seeded_streams.h"

#include "tests/support/deterministic_random.h"

namespace synod::testing {

SecretRandom SeededStreams::ForRun(std::string_view label, const RunId&) {
  return SecretRandomForTestsOnly::FromText(std::to_string(seed_) + "/" + site_ + "/run/" + std::string(label));
}

SecretRandom SeededStreams::ForAttempt(std::string_view label, const QueryName& name) {
  return SecretRandomForTestsOnly::FromText(std::to_string(seed_) + "/" + site_ + "/attempt/" + std::string(label) +
                                            "/" + std::to_string(name.query) + "/" + std::to_string(name.attempt));
}

}  // namespace synod::testing
