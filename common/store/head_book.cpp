#include "common/store/head_book.h"

#include <algorithm>

namespace synod {
namespace {

constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS ledger_heads (shelf TEXT NOT NULL, site TEXT NOT NULL, ledger BLOB NOT NULL, "
    "head BLOB NOT NULL, seen_unix INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (shelf, site, ledger))",
    "CREATE TABLE IF NOT EXISTS ledger_head_evidence (shelf TEXT NOT NULL, position INTEGER NOT NULL, "
    "kept BLOB NOT NULL, offered BLOB NOT NULL, seen_unix INTEGER NOT NULL, PRIMARY KEY (shelf, position))",
};

HeadBook::Key KeyOf(const SignedHead& head) {
  return {head.head.site, head.head.ledger};
}

Result<SignedHead> HeadFrom(const SqlRow& row, std::size_t column) {
  const Bytes* bytes = column < row.size() ? std::get_if<Bytes>(&row[column]) : nullptr;
  if (bytes == nullptr) return VerificationFailed("the database holds a ledger head that is no bytes");
  const Result<SignedHead> head = DecodeHead(*bytes);
  if (!head.ok()) return VerificationFailed("the database holds a damaged ledger head");
  return *head;
}

Result<std::int64_t> IntegerFrom(const SqlRow& row, std::size_t column) {
  const auto* number = column < row.size() ? std::get_if<std::int64_t>(&row[column]) : nullptr;
  if (number == nullptr) return VerificationFailed("the database holds a ledger head without its numbers");
  return *number;
}

std::vector<HeadBook::Kept> LastFirst(std::vector<HeadBook::Kept> heads) {
  std::sort(heads.begin(), heads.end(),
            [](const HeadBook::Kept& a, const HeadBook::Kept& b) { return a.number > b.number; });
  return heads;
}

// Whether some account holds more in `b`, or is only in it.
bool HoldsMore(const LedgerHead& a, const LedgerHead& b) {
  return std::any_of(b.held.begin(), b.held.end(), [&](const HeldAccount& in_b) {
    return std::none_of(a.held.begin(), a.held.end(), [&](const HeldAccount& in_a) {
      return in_a.dataset == in_b.dataset && in_a.rdp >= in_b.rdp && in_a.answers >= in_b.answers;
    });
  });
}

}  // namespace

Result<HeadBook> HeadBook::Open(Database& database, std::string shelf, FailPoints& fail_points, FailPoint before,
                                FailPoint after) {
  for (const char* table : kTables) SYNOD_RETURN_IF_ERROR(database.Execute(table));
  HeadBook book(database, std::move(shelf), fail_points, before, after);
  SYNOD_RETURN_IF_ERROR(book.Load());
  return book;
}

Status HeadBook::Load() {
  SYNOD_RETURN_IF_ERROR(database_->ForEach("SELECT head, seen_unix, number FROM ledger_heads WHERE shelf = ?", {shelf_},
                                           [&](const SqlRow& row) -> Status {
                                             Kept kept;
                                             SYNOD_ASSIGN_OR_RETURN(kept.head, HeadFrom(row, 0));
                                             SYNOD_ASSIGN_OR_RETURN(kept.seen_unix, IntegerFrom(row, 1));
                                             SYNOD_ASSIGN_OR_RETURN(const std::int64_t number, IntegerFrom(row, 2));
                                             kept.number = static_cast<std::uint64_t>(number);
                                             next_number_ = std::max(next_number_, kept.number + 1);
                                             kept_[KeyOf(kept.head)] = std::move(kept);
                                             return {};
                                           }));
  SYNOD_RETURN_IF_ERROR(
      database_->ForEach("SELECT kept, offered, seen_unix FROM ledger_head_evidence WHERE shelf = ? ORDER BY position",
                         {shelf_}, [&](const SqlRow& row) -> Status {
                           Evidence evidence;
                           SYNOD_ASSIGN_OR_RETURN(evidence.kept, HeadFrom(row, 0));
                           SYNOD_ASSIGN_OR_RETURN(evidence.offered, HeadFrom(row, 1));
                           SYNOD_ASSIGN_OR_RETURN(evidence.seen_unix, IntegerFrom(row, 2));
                           evidence_.push_back(std::move(evidence));
                           return {};
                         }));
  saved_evidence_ = evidence_.size();
  return {};
}

bool HeadBook::EvidenceIsKnown(const SignedHead& offered) const {
  return std::any_of(evidence_.begin(), evidence_.end(), [&](const Evidence& known) {
    const LedgerHead& head = known.offered.head;
    return head.site == offered.head.site && head.ledger == offered.head.ledger && head.rows == offered.head.rows &&
           head.digest == offered.head.digest;
  });
}

HeadBook::Taken HeadBook::Look(const SignedHead& head, Source source) const {
  const LedgerHead& offered = head.head;
  const auto found = kept_.find(KeyOf(head));
  if (found == kept_.end()) {
    const auto ledgers =
        std::count_if(kept_.begin(), kept_.end(), [&](const auto& kept) { return kept.first.first == offered.site; });
    return static_cast<std::size_t>(ledgers) < kMaxLedgers ? Taken::kNewer : Taken::kFull;
  }
  const LedgerHead& known = found->second.head.head;
  if (offered.rows > known.rows) return Taken::kNewer;
  if (offered.rows == known.rows && offered.digest == known.digest) {
    // The accounts may hold more, or less, without another row. What the site itself says is what holds now.
    const bool differs = offered.held != known.held;
    const bool later = source == Source::kSiteItself || offered.signed_unix > known.signed_unix;
    return differs && (later || HoldsMore(known, offered)) ? Taken::kNewer : Taken::kNothingNew;
  }
  if (offered.rows < known.rows && source == Source::kWitness) return Taken::kNothingNew;
  if (EvidenceIsKnown(head)) return Taken::kNothingNew;
  const auto of_site = std::count_if(evidence_.begin(), evidence_.end(), [&](const Evidence& evidence) {
    return evidence.offered.head.site == offered.site;
  });
  return static_cast<std::size_t>(of_site) < kMaxEvidence ? Taken::kEvidence : Taken::kFull;
}

HeadBook::Taken HeadBook::Take(const SignedHead& head, Source source, std::int64_t now_unix) {
  const Taken taken = Look(head, source);
  if (taken == Taken::kNewer) {
    kept_[KeyOf(head)] = {head, now_unix, next_number_++};
    unsaved_.insert(KeyOf(head));
  } else if (taken == Taken::kEvidence) {
    evidence_.push_back({kept_.at(KeyOf(head)).head, head, now_unix});
  }
  return taken;
}

Status HeadBook::Write() const {
  for (const Key& key : unsaved_) {
    const Kept& kept = kept_.at(key);
    SYNOD_RETURN_IF_ERROR(database_->Execute(
        "INSERT OR REPLACE INTO ledger_heads (shelf, site, ledger, head, seen_unix, number) VALUES (?, ?, ?, ?, ?, ?)",
        {shelf_, key.first, Bytes(key.second.bytes.begin(), key.second.bytes.end()), EncodeHead(kept.head),
         kept.seen_unix, static_cast<std::int64_t>(kept.number)}));
  }
  for (std::size_t i = saved_evidence_; i < evidence_.size(); ++i) {
    const Evidence& evidence = evidence_[i];
    SYNOD_RETURN_IF_ERROR(
        database_->Execute("INSERT OR REPLACE INTO ledger_head_evidence (shelf, position, kept, offered, seen_unix) "
                           "VALUES (?, ?, ?, ?, ?)",
                           {shelf_, static_cast<std::int64_t>(i), EncodeHead(evidence.kept),
                            EncodeHead(evidence.offered), evidence.seen_unix}));
  }
  return {};
}

Status HeadBook::Flush() {
  if (!dirty()) return {};
  fail_points_->At(before_);
  SYNOD_RETURN_IF_ERROR(database_->Transaction([&] { return Write(); }));
  unsaved_.clear();
  saved_evidence_ = evidence_.size();
  fail_points_->At(after_);
  return {};
}

std::vector<HeadBook::Kept> HeadBook::All() const {
  std::vector<Kept> heads;
  for (const auto& [key, kept] : kept_) heads.push_back(kept);
  return LastFirst(std::move(heads));
}

std::vector<HeadBook::Kept> HeadBook::Of(const std::string& site) const {
  std::vector<Kept> heads;
  for (auto kept = kept_.lower_bound({site, LedgerId{}}); kept != kept_.end() && kept->first.first == site; ++kept) {
    heads.push_back(kept->second);
  }
  return LastFirst(std::move(heads));
}

}  // namespace synod
