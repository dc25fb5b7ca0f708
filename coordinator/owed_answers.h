// Which answers each site owes: what was asked of it and neither answered nor refused. Decides how many bytes a site
// may send with an answer, before anything is allocated. Late answers are still owed, so that an honest site that was
// slow is not mistaken for one that breaks the protocol; how many is bounded.
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "common/core/strong_id.h"
#include "common/wire/messages.h"

namespace synod {

class OwedAnswers {
 public:
  static constexpr std::size_t kMaxPerSite = 16;

  void Ask(const std::string& site, const QueryName& name, std::uint64_t answer_bytes);
  // Answered or refused.
  void Settle(const std::string& site, const QueryName& name);
  // How many bytes of payload are taken with this message of the site.
  std::uint64_t PayloadLimit(const std::string& site, const Message& message) const;
  // 0: this site does not owe this answer.
  std::uint64_t BytesOwed(const std::string& site, const QueryName& name) const;

 private:
  struct Owed {
    QueryName name;
    std::uint64_t bytes = 0;
  };
  std::map<std::string, std::deque<Owed>> owed_;
};

}  // namespace synod
