// Secret streams that repeat a whole federation, for tests alone: each is a function of (seed, site, label, query,
// attempt) and of nothing else, so that a second run under another id, or after any number of restarts, draws the same.
#pragma once

#include <cstdint>
#include <string>

#include "common/crypto/secret_streams.h"

namespace synod::testing {

class SeededStreams final : public SecretStreams {
 public:
  SeededStreams(std::uint64_t seed, std::string site) : seed_(seed), site_(std::move(site)) {}
  SecretRandom ForRun(std::string_view label, const RunId& run) override;
  SecretRandom ForAttempt(std::string_view label, const QueryName& name) override;

 private:
  std::uint64_t seed_;
  std::string site_;
};

}  // namespace synod::testing
