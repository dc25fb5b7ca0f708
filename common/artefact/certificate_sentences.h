// What a certificate says in words. The sentences follow from its numbers and the plan, and Verify compares them: a
// file cannot say in words what its numbers do not. To change a sentence is to change Certificate::kVersion.
#pragma once

#include <string>
#include <vector>

#include "common/artefact/certificate.h"

namespace synod {

// Whether the bound on float32 error in a clipped sum holds by proof or by measurement for the family's layers.
enum class FloatError : std::uint8_t { kProven, kMeasured };

// `certificate` must have its readings.
std::vector<std::string> StatementsOf(const Certificate& certificate, const Plan& plan);
std::vector<std::string> NotClaimedOf(const Certificate& certificate, const Plan& plan, FloatError float_error);

}  // namespace synod
