// Hyper-parameters of the independent_columns family: the [model] section of a run specification.
#pragma once

#include <cstdint>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/data/toml_section.h"

namespace synod::independent_columns {

struct Options {
  static constexpr std::uint32_t kMaxRounds = 1000;

  // How often the histogram is asked; the answers are averaged, and the budget is split over them. Where every site
  // answers every time this brings nothing over 1: the noise of the average is that of one answer with the whole
  // budget. Where sites drop out, a lost answer costs one part in `rounds` instead of everything.
  std::uint32_t rounds = 1;

  // Reads the section and finishes it: unknown keys are errors.
  static Result<Options> FromToml(const TomlSection& section);
  // Strict; every value in range.
  static Result<Options> FromJson(const Json& json);
  Json ToJson() const;
};

}  // namespace synod::independent_columns
