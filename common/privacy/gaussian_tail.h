// The normal distribution with small relative error everywhere, the tails included. Pure functions.
#pragma once

namespace synod {

inline constexpr double kSqrtTwo = 1.41421356237309504880;
inline constexpr double kInverseSqrtTwoPi = 0.39894228040143267794;

double NormalDensity(double x);

// P(X > x); P(X < x) is NormalTail(-x).
double NormalTail(double x);

// P(low < X < high), without the cancellation of two values near 1. Either end may be infinite.
double NormalMass(double low, double high);

// Mills' ratio P(X > x) / density(x). For x >= -30.
double MillsRatio(double x);

}  // namespace synod
