#include "models/independent_columns/options.h"

namespace synod::independent_columns {

Result<Options> Options::FromToml(const TomlSection& section) {
  SYNOD_RETURN_IF_ERROR(section.Text("family", "independent_columns"));
  Options options;
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t rounds, section.Integer("rounds", options.rounds, 1, kMaxRounds));
  options.rounds = static_cast<std::uint32_t>(rounds);
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return options;
}

Result<Options> Options::FromJson(const Json& json) {
  const Error broken = BadInput("the options of independent_columns are not complete and in range");
  if (!json.is_object() || json.size() != 1 || !json.contains("rounds")) return broken;
  const Json& rounds = json["rounds"];
  if (!rounds.is_number_integer()) return broken;
  const auto value = rounds.get<std::int64_t>();
  if (value < 1 || value > std::int64_t{kMaxRounds}) return broken;
  return Options{static_cast<std::uint32_t>(value)};
}

Json Options::ToJson() const {
  return {{"rounds", rounds}};
}

}  // namespace synod::independent_columns
