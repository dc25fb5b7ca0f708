// How an epsilon is stated: rounded so that the statement is never stronger than the truth.
#pragma once

namespace synod {

inline constexpr double kStatedStep = 1e-3;

// The smallest multiple of 0.001 that is not below `epsilon`.
double StatedUpper(double epsilon);
// The largest multiple of 0.001 that is not above `epsilon`.
double StatedLower(double epsilon);

// Whether a stated upper bound is what `recomputed` supports: recomputed <= stated, and stated is not more than 1 % and
// one rounding step above it.
bool StatementHolds(double stated, double recomputed);
// The same for a stated lower bound: not above what was recomputed, and not more than 1 % and one step below it.
bool LowerStatementHolds(double stated, double recomputed);

}  // namespace synod
