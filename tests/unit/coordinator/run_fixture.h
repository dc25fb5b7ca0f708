// Runs, clocks and stores that the tests hold in their hands.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/run_book.h"
#include "tests/unit/coordinator/round_fixture.h"

namespace synod::testing {

class HandClock final : public Clock {
 public:
  std::int64_t UnixSeconds() const override { return 1'800'000'000 + static_cast<std::int64_t>(now); }
  double MonotonicSeconds() const override { return now; }
  double now = 100.0;
};

// Keeps what it is given as it would be stored: JSON and texts, read back.
class HandRunStore final : public RunStore {
 public:
  struct Row {
    RunSubmission texts;
    std::string plan_text;
    std::string json;
  };

  Status Save(const RunRecord& record) override {
    if (full) return Failed("disk full");
    if (!rows.contains(record.run())) order.push_back(record.run());
    rows[record.run()] = {record.submission, record.plan_text, RecordToJson(record).dump()};
    ++writes;
    return {};
  }
  Status SaveWithDraft(const RunRecord& record, const Bytes& draft) override {
    SYNOD_RETURN_IF_ERROR(Save(record));
    drafts[record.run()] = draft;
    return {};
  }
  Result<Bytes> LoadDraft(const RunId& run) const override {
    if (failing_loads > 0 && failing_loads-- > 0) return Failed("the disk does not answer");
    const auto found = drafts.find(run);
    return found == drafts.end() ? Result<Bytes>(Failed("no draft")) : Result<Bytes>(found->second);
  }
  Result<std::vector<RunRecord>> LoadAll() const override {
    std::vector<RunRecord> records;
    for (const RunId& run : order) {
      const Row& row = rows.at(run);
      RunRecord record;
      record.submission.specification = row.texts.specification;
      record.submission.schema = row.texts.schema;
      record.plan_text = row.plan_text;
      SYNOD_RETURN_IF_ERROR(FillFromJson(Json::parse(row.json), record));
      records.push_back(std::move(record));
    }
    return records;
  }

  bool full = false;
  int writes = 0;
  mutable int failing_loads = 0;  // of drafts, from now on
  std::vector<RunId> order;
  std::map<RunId, Row> rows;
  std::map<RunId, Bytes> drafts;
};

inline RunId RunNumber(std::uint8_t number) {
  RunId run;
  run.bytes.fill(number);
  return run;
}

inline RunSubmission Submission(std::uint8_t number) {
  return {RunNumber(number), "operator", "[run]\nname = \"demo\"", "[[column]]", {}};
}

inline RunSummary Summary(double deadline_seconds = 600.0) {
  return {"demo", "table_test", 3, deadline_seconds};
}

inline SiteDecision Approval() {
  SiteDecision decision;
  decision.decision = Decision::kApproved;
  decision.signature.fill(7);
  return decision;
}

inline SiteDecision Denial(DenialReason reason) {
  SiteDecision decision;
  decision.decision = Decision::kDenied;
  decision.reason = reason;
  return decision;
}

// A book with its ports.
struct HandBook {
  HandClock clock;
  HandRunStore store;
  NoFailPoints fail_points;
  std::unique_ptr<RunBook> book;

  HandBook() { Reopen(); }
  void Reopen() {
    Result<RunBook> opened = RunBook::Open({store, clock, fail_points});
    book = opened.ok() ? std::make_unique<RunBook>(std::move(*opened)) : nullptr;
  }
  // Submitted, resolved and proposed to site-a, site-b and site-c, of which two have to answer.
  RunId Propose(std::uint8_t number) {
    const RunId run = RunNumber(number);
    (void)book->Submit(Submission(number), Summary());
    (void)book->BeginResolving(run);
    (void)book->TakeOffer(run, RoundPlan()->CanonicalText(), "{}");
    return run;
  }
  RunId ProposeAndApprove(std::uint8_t number) {
    const RunId run = Propose(number);
    for (const char* site : {"site-a", "site-b", "site-c"}) (void)book->TakeDecision(run, site, Approval());
    return run;
  }
  RunState StateOf(const RunId& run) const { return book->Find(run)->state; }
};

}  // namespace synod::testing
