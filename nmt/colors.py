"""The color of attention: orange, in pictures and pages."""

# Orange and blue of Okabe & Ito (2008) differ for every kind of sight, and orange on pale gray is
# darker than the gray in print without colors.
ATTENTION = (0xD5, 0x5E, 0x00)  # red, green, blue
