// One message of every type, with no field at its default.
#pragma once

#include <vector>

#include "common/wire/codec.h"
#include "common/wire/messages.h"

namespace synod {

template <typename Array>
Array FilledFrom(std::uint8_t first) {
  Array array{};
  for (std::uint8_t& byte : array) byte = first++;
  return array;
}

inline SignedHead SampleHead(const std::string& site) {
  LedgerHead head;
  head.site = site;
  head.ledger.bytes = FilledFrom<std::array<std::uint8_t, 16>>(3);
  head.rows = 12345;
  head.digest = FilledFrom<Digest>(60);
  head.signed_unix = 1'790'000'001;
  head.held = {{{FilledFrom<std::array<std::uint8_t, 16>>(20)}, 17.5, 0.25, 300}};
  return {head, FilledFrom<Signature>(70)};
}

inline std::vector<Message> SampleMessages() {
  const RunId run{FilledFrom<std::array<std::uint8_t, 16>>(1)};
  const Digest digest = FilledFrom<Digest>(40);
  const Signature signature = FilledFrom<Signature>(90);
  const QueryName name{run, 12, 3};
  return {
      Hello{1, "0.1.0", 1'790'000'000, FilledFrom<std::array<std::uint8_t, 16>>(7), 5, 6},
      Heartbeat{-1, 5, 6, true},
      Goodbye{GoodbyeReason::kTooManyLinks},
      TrustUpdate{5, 6},
      RunProposal{run, digest, "operator"},
      RunNotice{run, RunPhase::kSigning},
      QueryAsk{name, 4, QueryKind::kGradient, 10, 1000, 59.5},
      QueryClosed{run, 12},
      DraftToSign{run},
      RunDecision{run, digest, Decision::kDenied, DenialReason::kBudget, signature},
      Answer{name},
      AnswerRefused{name, RefusalReason::kLedgerUnavailable},
      CounterSignature{run, digest, {1, 0, 300, std::uint64_t{1} << 63}, digest, signature},
      DraftRefused{run, digest},
      LedgerHeads{{SampleHead("site-a"), SampleHead("site-b")}},
      OperatorRequest{77, OperatorVerb::kRunFetch, run},
      OperatorReply{77, 6, "refusé", "a\nhint", true},
      AggregationStep{name},
      AggregationChunk{name, 39},
  };
}

}  // namespace synod
