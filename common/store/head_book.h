// The signed heads of ledgers that a witness remembers, in a database: of each ledger of each site the newest. Rows
// only grow; a head that does not go with the one that is kept is evidence, and is kept beside it.
//
// Heads are verified before they come here. What is taken counts at once and is durable after Flush. Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/core/fail_points.h"
#include "common/privacy/ledger_head.h"
#include "common/store/database.h"

namespace synod {

class HeadBook {
 public:
  // Of one site; a ledger has another id once it was restored.
  static constexpr std::size_t kMaxLedgers = 32;
  static constexpr std::size_t kMaxEvidence = 16;

  struct Kept {
    SignedHead head;
    std::int64_t seen_unix = 0;
    std::uint64_t number = 0;  // counts up with every change in this book: a later one was learnt later
  };
  // `offered` was signed for the same ledger as `kept`, and both cannot be heads of one chain that only grew.
  struct Evidence {
    SignedHead kept;
    SignedHead offered;
    std::int64_t seen_unix = 0;
  };
  enum class Source {
    kSiteItself,  // says what its ledger is now: fewer rows than before are evidence
    kWitness,     // tells what it remembers, which may be old
  };
  enum class Taken {
    kNothingNew,
    kNewer,
    kEvidence,
    kFull,  // of ledgers or of evidence; nothing was taken
  };

  // Makes its tables where they are missing. `shelf` keeps several books in one database apart. `before` and `after`
  // are reached around the transaction of Flush.
  static Result<HeadBook> Open(Database& database, std::string shelf, FailPoints& fail_points, FailPoint before,
                               FailPoint after);

  // What Take would do; nothing changes. Cheaper than the verification of a signature.
  Taken Look(const SignedHead& head, Source source) const;
  Taken Take(const SignedHead& head, Source source, std::int64_t now_unix);
  bool dirty() const { return !unsaved_.empty() || saved_evidence_ < evidence_.size(); }
  // Writes what is new in one transaction. After an error all of it is written by the next call.
  Status Flush();

  using Key = std::pair<std::string, LedgerId>;  // site, ledger
  const std::map<Key, Kept>& kept() const { return kept_; }
  // Learnt last first.
  std::vector<Kept> All() const;
  std::vector<Kept> Of(const std::string& site) const;
  const std::vector<Evidence>& evidence() const { return evidence_; }

 private:
  HeadBook(Database& database, std::string shelf, FailPoints& fail_points, FailPoint before, FailPoint after)
      : database_(&database), shelf_(std::move(shelf)), fail_points_(&fail_points), before_(before), after_(after) {}
  Status Load();
  Status Write() const;
  bool EvidenceIsKnown(const SignedHead& offered) const;

  Database* database_;
  std::string shelf_;
  FailPoints* fail_points_;
  FailPoint before_;
  FailPoint after_;
  std::map<Key, Kept> kept_;
  std::set<Key> unsaved_;
  std::vector<Evidence> evidence_;
  std::size_t saved_evidence_ = 0;
  std::uint64_t next_number_ = 1;
};

}  // namespace synod
