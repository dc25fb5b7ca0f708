#include "tools/synod/account_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace synod {
namespace {

// Reads the keys of one entry and remembers them: what is left over is unknown. The first error stands.
class Entry {
 public:
  Entry(const Json& json, std::size_t index) : json_(json), index_(index) {}

  double Number(const char* key) {
    const Json* value = Find(key);
    if (value == nullptr) return 0.0;
    if (!value->is_number()) {
      Fail(fmt::format("{} must be a number", key));
      return 0.0;
    }
    const auto number = value->get<double>();
    if (!std::isfinite(number)) Fail(fmt::format("{} must be finite", key));
    return number;
  }

  std::uint64_t Whole(const char* key) {
    const Json* value = Find(key);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned()) {
      Fail(fmt::format("{} must be a whole number, 0 or more", key));
      return 0;
    }
    return value->get<std::uint64_t>();
  }

  // The error, or what was not asked for.
  Status Finish() {
    std::string keys;
    for (const std::string& key : known_) keys += (keys.empty() ? "" : ", ") + key;
    for (const auto& [key, value] : json_.items()) {
      if (key != "kind" && std::find(known_.begin(), known_.end(), key) == known_.end()) {
        return BadInput(fmt::format("entry {}: unknown key {}", index_, Json(key).dump()), "the keys are " + keys);
      }
    }
    if (!error_.empty()) return BadInput(fmt::format("entry {}: {}", index_, error_), "the keys are " + keys);
    return {};
  }

 private:
  const Json* Find(const char* key) {
    known_.emplace_back(key);
    const auto found = json_.find(key);
    if (found != json_.end()) return &*found;
    Fail(fmt::format("{} is missing", key));
    return nullptr;
  }
  void Fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }

  const Json& json_;
  std::size_t index_;
  std::vector<std::string> known_;
  std::string error_;
};

// Members of a braced list are read in the order that is written here.
using Reader = std::function<Mechanism(Entry&)>;

const std::map<std::string, Reader, std::less<>>& Readers() {
  static const std::map<std::string, Reader, std::less<>> kReaders = {
      {"gaussian",
       [](Entry& e) {
         return GaussianMechanism{e.Number("sampling_rate"), e.Number("noise_multiplier")};
       }},
      {"truncated-gaussian",
       [](Entry& e) {
         return TruncatedGaussianMechanism{e.Number("sampling_rate"), e.Number("noise_multiplier"), e.Whole("units"),
                                           e.Whole("max_batch")};
       }},
      {"fixed-batch-gaussian",
       [](Entry& e) {
         return FixedBatchGaussianMechanism{e.Whole("units"), e.Whole("batch"), e.Number("noise_multiplier")};
       }},
      {"tree",
       [](Entry& e) {
         return TreeGaussianMechanism{e.Number("noise_multiplier"), e.Whole("steps")};
       }},
      {"laplace", [](Entry& e) { return LaplaceMechanism{e.Number("scale")}; }},
      {"geometric",
       [](Entry& e) {
         return GeometricMechanism{e.Number("decay"), e.Whole("sensitivity")};
       }},
      {"stated",
       [](Entry& e) {
         return StatedGuarantee{e.Number("epsilon"), e.Number("delta")};
       }},
      {"discrete-gaussian-sum",
       [](Entry& e) {
         return DiscreteGaussianSum{e.Whole("shares"), e.Number("site_variance"), e.Number("sensitivity"),
                                    e.Whole("dimension")};
       }},
      {"skellam", [](Entry& e) {
         return SkellamSum{e.Number("variance"), e.Number("sensitivity"), e.Whole("dimension")};
       }}};
  return kReaders;
}

Result<MechanismUse> UseOf(const Json& json, std::size_t index) {
  if (!json.is_object()) return BadInput(fmt::format("entry {} must be an object", index));
  std::string kind = "gaussian";
  if (const auto found = json.find("kind"); found != json.end()) {
    if (!found->is_string()) return BadInput(fmt::format("entry {}: kind must be a text", index));
    kind = found->get<std::string>();
  }
  const auto reader = Readers().find(kind);
  if (reader == Readers().end()) {
    std::string kinds;
    for (const auto& [name, unused] : Readers()) kinds += (kinds.empty() ? "" : ", ") + name;
    return BadInput(fmt::format("entry {}: unknown kind {}", index, Json(kind).dump()), "the kinds are " + kinds);
  }
  Entry entry(json, index);
  MechanismUse use;
  use.mechanism = reader->second(entry);
  use.count = entry.Whole("count");
  SYNOD_RETURN_IF_ERROR(entry.Finish());
  return use;
}

struct Writer {
  Json operator()(const GaussianMechanism& m) const {
    return {{"sampling_rate", m.sampling_rate}, {"noise_multiplier", m.noise_multiplier}};
  }
  Json operator()(const TruncatedGaussianMechanism& m) const {
    return {{"sampling_rate", m.sampling_rate},
            {"noise_multiplier", m.noise_multiplier},
            {"units", m.units},
            {"max_batch", m.max_batch}};
  }
  Json operator()(const FixedBatchGaussianMechanism& m) const {
    return {{"units", m.units}, {"batch", m.batch}, {"noise_multiplier", m.noise_multiplier}};
  }
  Json operator()(const TreeGaussianMechanism& m) const {
    return {{"noise_multiplier", m.noise_multiplier}, {"steps", m.steps}};
  }
  Json operator()(const LaplaceMechanism& m) const { return {{"scale", m.scale}}; }
  Json operator()(const GeometricMechanism& m) const { return {{"decay", m.decay}, {"sensitivity", m.sensitivity}}; }
  Json operator()(const StatedGuarantee& m) const { return {{"epsilon", m.epsilon}, {"delta", m.delta}}; }
  Json operator()(const DiscreteGaussianSum& m) const {
    return {{"shares", m.shares},
            {"site_variance", m.site_variance},
            {"sensitivity", m.sensitivity},
            {"dimension", m.dimension}};
  }
  Json operator()(const SkellamSum& m) const {
    return {{"variance", m.variance}, {"sensitivity", m.sensitivity}, {"dimension", m.dimension}};
  }
};

}  // namespace

Json UseToJson(const MechanismUse& use) {
  Json entry = std::visit(Writer{}, use.mechanism);
  entry["kind"] = MechanismName(use.mechanism);
  entry["count"] = use.count;
  return entry;
}

const char kEventsHelp[] =
    "The file of --events is a JSON list of entries that are composed; each has a \"kind\" (gaussian without one), a\n"
    "\"count\" of uses, and:\n"
    "  gaussian               sampling_rate, noise_multiplier (a Poisson sample; 1 is the whole data set)\n"
    "  truncated-gaussian     sampling_rate, noise_multiplier, units, max_batch (add-remove only)\n"
    "  fixed-batch-gaussian   units, batch, noise_multiplier (without replacement; replace-one only)\n"
    "  tree                   noise_multiplier, steps (prefix sums by a binary tree; zero-out only)\n"
    "  laplace                scale (noise scale / L1 sensitivity)\n"
    "  geometric              decay, sensitivity (integer noise, mass in proportion to e^(-decay |x|))\n"
    "  stated                 epsilon, delta (any mechanism with this guarantee; delta 0 for pure epsilon)\n"
    "  discrete-gaussian-sum  shares, site_variance, sensitivity, dimension (on the integers)\n"
    "  skellam                variance, sensitivity, dimension (on the integers; total variance)\n"
    "Example: [{\"sampling_rate\": 0.01, \"noise_multiplier\": 1.2, \"count\": 1000},\n"
    "          {\"kind\": \"laplace\", \"scale\": 10, \"count\": 5}]\n"
    "noise_multiplier is noise deviation / sensitivity of adding or removing one unit; replace-one doubles every\n"
    "sensitivity, but for stated entries, which hold for the relation of the account.";

Result<MechanismUses> UsesFromJson(std::string_view text, Adjacency adjacency, unsigned sites_per_subject) {
  SYNOD_ASSIGN_OR_RETURN(const Json list, ParseJson(text, kMaxEventsFileBytes, 4));
  if (!list.is_array()) return BadInput("the file must hold a list of events");
  MechanismUses uses;
  for (std::size_t i = 0; i < list.size(); ++i) {
    SYNOD_ASSIGN_OR_RETURN(const MechanismUse use, UseOf(list[i], i));
    uses.push_back(use);
  }
  SYNOD_RETURN_IF_ERROR(CheckUses(uses, adjacency, sites_per_subject));
  return uses;
}

}  // namespace synod
