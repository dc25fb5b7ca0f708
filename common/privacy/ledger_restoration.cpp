#include "common/privacy/ledger_restoration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "common/core/hex.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kMaxUnix = std::uint64_t{1} << 40;
constexpr char kWhere[] = "ledger row: restored";

std::uint64_t AddUpTo(std::uint64_t a, std::uint64_t b) {
  return a > kMax64 - b ? kMax64 : a + b;
}

// Rounded up: additions of doubles may come out low.
double AddUp(double a, double b) {
  return (a + b) * (1.0 + 1e-15);
}

template <typename Id>
Result<Id> IdOf(const StrictObject& fields, std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, fields.Text(key, 32));
  const auto bytes = FixedFromHex<16>(text);
  if (!bytes.ok() || ToHex(*bytes) != text) return fields.Wrong(key, "is not 32 lower-case hexadecimal digits");
  return Id{*bytes};
}

Status CheckCharge(const StrictObject& fields, double rdp) {
  if (rdp >= 0.0 && std::isfinite(rdp)) return {};
  return fields.Wrong("rdp", "is not a divergence");
}

Result<LostHead> LostFrom(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields, StrictObject::Of(json, kWhere, {"ledger", "rows", "digest"}));
  LostHead lost;
  SYNOD_ASSIGN_OR_RETURN(lost.ledger, IdOf<LedgerId>(fields, "ledger"));
  SYNOD_ASSIGN_OR_RETURN(lost.rows, fields.Unsigned("rows", 0, kMax64));
  SYNOD_ASSIGN_OR_RETURN(lost.digest, fields.Hash("digest"));
  return lost;
}

Result<RestoredCharge> ChargeFrom(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields, StrictObject::Of(json, kWhere, {"dataset", "rdp", "answers"}));
  RestoredCharge charge;
  SYNOD_ASSIGN_OR_RETURN(charge.dataset, IdOf<DatasetId>(fields, "dataset"));
  SYNOD_ASSIGN_OR_RETURN(charge.rdp, fields.Real("rdp"));
  SYNOD_ASSIGN_OR_RETURN(charge.answers, fields.Unsigned("answers", 0, kMax64));
  SYNOD_RETURN_IF_ERROR(CheckCharge(fields, charge.rdp));
  return charge;
}

Result<HeldAccount> OthersFrom(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields, StrictObject::Of(json, kWhere, {"order", "rdp", "answers"}));
  HeldAccount others;
  SYNOD_ASSIGN_OR_RETURN(others.order, fields.Real("order"));
  SYNOD_ASSIGN_OR_RETURN(others.rdp, fields.Real("rdp"));
  SYNOD_ASSIGN_OR_RETURN(others.answers, fields.Unsigned("answers", 0, kMax64));
  SYNOD_RETURN_IF_ERROR(CheckCharge(fields, others.rdp));
  if (!(others.order > 1.0)) return fields.Wrong("order", "is no order of a divergence");
  return others;
}

const HeldAccount* Listed(const LedgerHead& head, const DatasetId& dataset) {
  for (const HeldAccount& account : head.held) {
    if (account.dataset == dataset) return &account;
  }
  return nullptr;
}

// The accounts of `head` that may be those of a data set which it does not list.
std::optional<HeldAccount> Unclaimed(const LedgerHead& head, std::span<const RestoredDataset> datasets) {
  std::optional<HeldAccount> worst;
  for (const HeldAccount& account : head.held) {
    const bool claimed = std::any_of(datasets.begin(), datasets.end(), [&](const RestoredDataset& dataset) {
      return dataset.dataset == account.dataset;
    });
    if (!claimed) worst = worst ? Worse(*worst, account) : account;
  }
  if (worst) worst->dataset = {};
  return worst;
}

}  // namespace

Json LedgerRestoration::ToJson() const {
  Json heads = Json::array();
  for (const LostHead& head : lost) {
    heads.push_back({{"ledger", ToHex(head.ledger.bytes)}, {"rows", head.rows}, {"digest", ToHex(head.digest)}});
  }
  Json charged = Json::array();
  for (const RestoredCharge& charge : charges) {
    charged.push_back({{"dataset", ToHex(charge.dataset.bytes)}, {"rdp", charge.rdp}, {"answers", charge.answers}});
  }
  Json runs = Json::array();
  for (const RunId& run : ended) runs.push_back(ToHex(run.bytes));
  Json later = Json::array();  // of one at most: canonical JSON has no null
  if (others) later.push_back({{"order", others->order}, {"rdp", others->rdp}, {"answers", others->answers}});
  return {{"replaced", ToHex(replaced.bytes)},
          {"ledger", ToHex(ledger.bytes)},
          {"unix", restored_unix},
          {"lost", std::move(heads)},
          {"charges", std::move(charged)},
          {"others", std::move(later)},
          {"runs", std::move(runs)}};
}

Result<LedgerRestoration> LedgerRestoration::FromJson(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(
      const StrictObject fields,
      StrictObject::Of(json, kWhere, {"replaced", "ledger", "unix", "lost", "charges", "others", "runs"}));
  LedgerRestoration out;
  SYNOD_ASSIGN_OR_RETURN(out.replaced, IdOf<LedgerId>(fields, "replaced"));
  SYNOD_ASSIGN_OR_RETURN(out.ledger, IdOf<LedgerId>(fields, "ledger"));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t unix_seconds, fields.Unsigned("unix", 0, kMaxUnix));
  out.restored_unix = static_cast<std::int64_t>(unix_seconds);
  SYNOD_ASSIGN_OR_RETURN(const Json* lost, fields.Array("lost", kMaxItems));
  for (const Json& item : *lost) {
    SYNOD_ASSIGN_OR_RETURN(const LostHead head, LostFrom(item));
    out.lost.push_back(head);
  }
  SYNOD_ASSIGN_OR_RETURN(const Json* charges, fields.Array("charges", kMaxItems));
  for (const Json& item : *charges) {
    SYNOD_ASSIGN_OR_RETURN(const RestoredCharge charge, ChargeFrom(item));
    out.charges.push_back(charge);
  }
  SYNOD_ASSIGN_OR_RETURN(const Json* others, fields.Array("others", 1));
  if (!others->empty()) {
    SYNOD_ASSIGN_OR_RETURN(out.others, OthersFrom(others->front()));
  }
  SYNOD_ASSIGN_OR_RETURN(const Json* runs, fields.Array("runs", kMaxItems));
  for (const Json& item : *runs) {
    if (!item.is_string()) return fields.Wrong("runs", "has an item that is no text");
    const auto bytes = FixedFromHex<16>(item.get_ref<const std::string&>());
    if (!bytes.ok()) return fields.Wrong("runs", "has an item that is no run");
    out.ended.push_back({*bytes});
  }
  return out;
}

RestoredCharge ChargeFor(const RestoredDataset& dataset, const HeldAccount& held) {
  const bool proven = dataset.order <= held.order;
  return {dataset.dataset, proven ? held.rdp : std::max(held.rdp, dataset.budget_rdp), held.answers};
}

void ChargeLost(std::span<const LedgerHead> lost, std::span<const RestoredDataset> datasets,
                std::span<const RestoredCharge> open, LedgerRestoration& restoration) {
  restoration.lost.clear();
  restoration.charges.clear();
  restoration.others.reset();
  for (const RestoredDataset& dataset : datasets) restoration.charges.push_back({dataset.dataset, 0.0, 0});
  const auto add = [&](const RestoredCharge& charge) {
    for (RestoredCharge& sum : restoration.charges) {
      if (sum.dataset != charge.dataset) continue;
      sum.rdp = AddUp(sum.rdp, charge.rdp);
      sum.answers = AddUpTo(sum.answers, charge.answers);
    }
  };
  for (const RestoredCharge& charge : open) add(charge);
  for (const LedgerHead& head : lost) {
    restoration.lost.push_back({head.ledger, head.rows, head.digest});
    const std::optional<HeldAccount> unclaimed = Unclaimed(head, datasets);
    for (const RestoredDataset& dataset : datasets) {
      const HeldAccount* listed = Listed(head, dataset.dataset);
      if (listed != nullptr) {
        add(ChargeFor(dataset, *listed));
      } else if (unclaimed) {
        add(ChargeFor(dataset, *unclaimed));
      }
    }
    if (!unclaimed) continue;
    if (restoration.others) {
      restoration.others->order = std::min(restoration.others->order, unclaimed->order);
      restoration.others->rdp = AddUp(restoration.others->rdp, unclaimed->rdp);
      restoration.others->answers = AddUpTo(restoration.others->answers, unclaimed->answers);
    } else {
      restoration.others = unclaimed;
    }
  }
  std::sort(restoration.charges.begin(), restoration.charges.end(),
            [](const RestoredCharge& a, const RestoredCharge& b) { return a.dataset < b.dataset; });
}

RestoredCharge ChargeOf(const LedgerRestoration& restoration, const RestoredDataset& dataset) {
  for (const RestoredCharge& charge : restoration.charges) {
    if (charge.dataset == dataset.dataset) return charge;
  }
  return restoration.others ? ChargeFor(dataset, *restoration.others) : RestoredCharge{dataset.dataset, 0.0, 0};
}

}  // namespace synod
