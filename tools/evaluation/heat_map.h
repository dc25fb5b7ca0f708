// A square matrix of numbers in [-1, 1] as a picture: blue above zero, orange below, stronger is further from zero.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

namespace synod {

struct HeatMap {
  std::string caption;             // plain text
  std::string summary;             // plain text alternative
  std::vector<std::string> names;  // of the rows and columns, plain text
  Eigen::MatrixXd values;          // names.size() squared
  double full_scale = 1.0;         // this far from zero is the full colour
};

// A <figure>. The diagonal is not coloured.
std::string HeatMapFigure(const HeatMap& map);

// The pixel widths that the style sheet needs for maps of this many columns, as "--map:..px;--most:..px;--least:..px".
std::string HeatMapSizes(std::size_t columns);

}  // namespace synod
