// Which of many descriptors can be read or written now: epoll, level-triggered. Its own descriptor is readable as long
// as one of them is ready, so that a daemon's loop watches one descriptor for all of them. Threads: one.
#pragma once

#include <cstdint>
#include <vector>

#include "common/core/descriptor.h"
#include "common/core/result.h"

namespace synod {

class Poller {
 public:
  static Result<Poller> Create();

  struct Interest {
    bool read = true;
    bool write = false;
    bool operator==(const Interest&) const = default;
  };
  // `key` comes back with what is ready. A descriptor that is closed is forgotten by itself.
  Status Add(int descriptor, std::uint64_t key, Interest interest);
  void Change(int descriptor, std::uint64_t key, Interest interest);

  struct Ready {
    std::uint64_t key = 0;
    bool read = false;  // also if the connection ended or broke
    bool write = false;
  };
  // Never waits. Not all at once if there are many, and not always the same ones first.
  std::vector<Ready> TakeReady();

  int descriptor() const { return descriptor_.number(); }

 private:
  explicit Poller(int descriptor) : descriptor_(descriptor) {}
  Descriptor descriptor_;
};

}  // namespace synod
