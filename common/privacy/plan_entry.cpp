#include "common/privacy/plan_entry.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "common/privacy/noise_arithmetic.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

bool IsPowerOfTwo(double value) {
  int exponent = 0;
  return value > 0 && std::isfinite(value) && std::frexp(value, &exponent) == 0.5;
}

Status CheckParts(const PlanEntry& entry) {
  if (entry.parts.empty() || entry.parts.size() > PlanEntry::kMaxParts) {
    return BadInput(fmt::format("must have 1 to {} parts", PlanEntry::kMaxParts));
  }
  std::set<std::string_view> names;
  for (const PlanPart& part : entry.parts) {
    if (!IsPlainName(part.name)) return BadInput("a part has no name in printable ASCII");
    if (!names.insert(part.name).second) return BadInput(fmt::format("two parts are called \"{}\"", part.name));
    if (!(part.weight > 0) || !std::isfinite(part.weight)) {
      return BadInput(fmt::format("the weight of part \"{}\" is not a positive number", part.name));
    }
  }
  const double clip = ClipOfParts(entry.parts);
  if (!std::isfinite(clip) || entry.clip != clip) {
    return BadInput(fmt::format("clip is {}, but its parts make {}", entry.clip, clip));
  }
  return {};
}

Status CheckNoise(const PlanEntry& entry) {
  const bool in_range = entry.grid_scale >= kMinGridScale && entry.grid_scale <= kMaxGridScale;
  if (!in_range || !IsPowerOfTwo(entry.grid_scale)) {
    return BadInput("the grid scale is not a power of two from 2^-40 to 2^40");
  }
  const double least = SensitivityOnGrid(entry.grid_scale, entry.clip, entry.dimension);
  if (!(entry.sensitivity >= least) || !(entry.sensitivity < kMaxGridValue)) {
    return BadInput(fmt::format("the sensitivity is {}; clip, grid and dimension make {}", entry.sensitivity, least));
  }
  if (static_cast<double>(entry.site_variance) < kMinSiteSigma * kMinSiteSigma) {
    return BadInput(fmt::format("a site's noise is below {} grid units", kMinSiteSigma));
  }
  if (entry.site_variance > kMaxSiteVariance) return BadInput("a site's noise is too large for the grid");
  if (entry.word_bits != 32 && entry.word_bits != 64) return BadInput("words must have 32 or 64 bits");
  return {};
}

Result<std::vector<PlanPart>> PartsFromJson(const StrictObject& object, const std::string& where) {
  SYNOD_ASSIGN_OR_RETURN(const Json* list, object.Array("parts", PlanEntry::kMaxParts));
  std::vector<PlanPart> parts;
  for (const Json& item : *list) {
    SYNOD_ASSIGN_OR_RETURN(const StrictObject fields, StrictObject::Of(item, where + ": part", {"name", "weight"}));
    PlanPart part;
    SYNOD_ASSIGN_OR_RETURN(part.name, fields.PlainName("name"));
    SYNOD_ASSIGN_OR_RETURN(part.weight, fields.Real("weight"));
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace

double ClipOfParts(const std::vector<PlanPart>& parts) {
  double sum = 0.0;
  for (const PlanPart& part : parts) sum += part.weight * part.weight;
  return std::sqrt(sum);
}

double RealisedRate(double sampling_rate) {
  return std::ldexp(std::floor(std::ldexp(sampling_rate, 64)), -64);
}

PrivacyEvent PlanEntry::Event(std::uint32_t shares, std::uint64_t answers) const {
  return {sampling_rate, AccountedMultiplier(site_variance, shares, sensitivity), answers};
}

Status PlanEntry::Check() const {
  if (!IsPlainName(name)) return BadInput("its name is not 1 to 128 printable ASCII characters");
  if (count < 1 || count > kMaxCount) return BadInput(fmt::format("count must be 1 to {}", kMaxCount));
  if (retries > kMaxCount) return BadInput(fmt::format("retries must be at most {}", kMaxCount));
  if (dimension < 1 || dimension > kMaxDimension) return BadInput("the dimension is out of range");
  if (!(sampling_rate > 0 && sampling_rate <= 1) || RealisedRate(sampling_rate) != sampling_rate) {
    return BadInput("the sampling rate is not k / 2^64 in (0, 1]");
  }
  SYNOD_RETURN_IF_ERROR(CheckParts(*this));
  return CheckNoise(*this);
}

Json PlanEntry::ToJson() const {
  Json part_list = Json::array();
  for (const PlanPart& part : parts) part_list.push_back({{"name", part.name}, {"weight", part.weight}});
  return {{"name", name},
          {"kind", QueryKindName(kind)},
          {"count", count},
          {"retries", retries},
          {"dimension", dimension},
          {"sampling_rate", sampling_rate},
          {"clip", clip},
          {"parts", part_list},
          {"grid_scale", grid_scale},
          {"sensitivity", sensitivity},
          {"site_variance", site_variance},
          {"word_bits", word_bits}};
}

Result<PlanEntry> PlanEntry::FromJson(const Json& json, const std::string& where) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, where,
                                          {"name", "kind", "count", "retries", "dimension", "sampling_rate", "clip",
                                           "parts", "grid_scale", "sensitivity", "site_variance", "word_bits"}));
  PlanEntry entry;
  SYNOD_ASSIGN_OR_RETURN(entry.name, fields.PlainName("name"));
  SYNOD_ASSIGN_OR_RETURN(const std::string kind_name, fields.Text("kind", 32));
  const std::optional<QueryKind> kind = QueryKindFromName(kind_name);
  if (!kind) return fields.Wrong("kind", "is not a known kind of query");
  entry.kind = *kind;
  SYNOD_ASSIGN_OR_RETURN(entry.count, fields.Unsigned32("count", 1, kMaxCount));
  SYNOD_ASSIGN_OR_RETURN(entry.retries, fields.Unsigned32("retries", 0, kMaxCount));
  SYNOD_ASSIGN_OR_RETURN(entry.dimension, fields.Unsigned("dimension", 1, kMaxDimension));
  SYNOD_ASSIGN_OR_RETURN(entry.sampling_rate, fields.Real("sampling_rate"));
  SYNOD_ASSIGN_OR_RETURN(entry.clip, fields.Real("clip"));
  SYNOD_ASSIGN_OR_RETURN(entry.parts, PartsFromJson(fields, where));
  SYNOD_ASSIGN_OR_RETURN(entry.grid_scale, fields.Real("grid_scale"));
  SYNOD_ASSIGN_OR_RETURN(entry.sensitivity, fields.Real("sensitivity"));
  SYNOD_ASSIGN_OR_RETURN(entry.site_variance, fields.Unsigned("site_variance", 1, kMaxSiteVariance));
  SYNOD_ASSIGN_OR_RETURN(entry.word_bits, fields.Unsigned32("word_bits", 32, 64));
  const Status checked = entry.Check();
  if (!checked.ok()) return checked.error().Within(where);
  return entry;
}

}  // namespace synod
