// The secret streams of a worker, by purpose: a port, so that tests can repeat a whole federation. Installed programs
// have OperatingSystemStreams alone.
//
// A stream of an attempt belongs to that answer only: who is drawn and the noise of (run, query, attempt) come from
// nothing else, so that a computation that was cut off before its charge leaves no trace in the next one.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/core/strong_id.h"
#include "common/crypto/secret_random.h"

namespace synod {

class SecretStreams {
 public:
  virtual ~SecretStreams() = default;
  // For what is drawn once an opened run: keys of blocks, a secret word for each unit.
  virtual SecretRandom ForRun(std::string_view label, const RunId& run) = 0;
  virtual SecretRandom ForAttempt(std::string_view label, const QueryName& name) = 0;
};

// Every call gives a fresh, independent stream.
class OperatingSystemStreams final : public SecretStreams {
 public:
  OperatingSystemStreams() : root_(SecretRandom::FromOperatingSystem()) {}
  SecretRandom ForRun(std::string_view label, const RunId&) override { return root_.Fork(label, 0); }
  SecretRandom ForAttempt(std::string_view label, const QueryName& name) override {
    return root_.Fork(label, name.query);
  }

 private:
  SecretRandom root_;
};

}  // namespace synod
