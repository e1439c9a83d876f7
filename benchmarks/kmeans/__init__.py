"""K-Means on prepared features: MLlib on everyone and our fit on a sample, beside scikit-learn."""
