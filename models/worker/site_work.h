// The worker of a site while a run is open: the records of one data set, and answers over them. What it gives away is
// noised sums.
#pragma once

#include <memory>

#include "common/crypto/secret_streams.h"
#include "models/family_table.h"
#include "models/worker/site_computer.h"
#include "models/worker/worker_messages.h"

namespace synod {

class SiteWork {
 public:
  struct Opened {
    std::unique_ptr<SiteWork> work;
    std::string report;  // the data holder's own
  };
  // Reads the records. Errors name the file, a column, a rule or an option; never a value. `streams` must outlive it.
  static Result<Opened> Open(const OpenSiteRequest& request, SecretStreams& streams, unsigned threads,
                             const LoadCompute& load_compute);

  // AnswerReply or AnswerMalformedReply. What the words are follows from the plan's aggregation.
  Result<WorkerReply> Answer(const AnswerRequest& request);

 private:
  SiteWork(SiteComputer::Setup setup, std::unique_ptr<Contribution> contribution, SecretStreams& streams)
      : plan_(setup.plan),
        contribution_(std::move(contribution)),
        computer_(std::move(setup), *contribution_, streams) {}

  std::shared_ptr<const Plan> plan_;
  std::unique_ptr<Contribution> contribution_;
  SiteComputer computer_;
};

}  // namespace synod
