# The image for both architectures, with its bill of materials and how it was built:
#   docker buildx bake --push --set image.tags=registry.example.se/intresse:1.0.0
# Every dependency comes as a wheel for either (`make platforms`), so nothing is compiled and no emulation is slow.
target "image" {
  context   = "."
  tags      = ["intresse"]
  platforms = ["linux/amd64", "linux/arm64"]
  attest    = ["type=sbom", "type=provenance,mode=max"]
}

group "default" {
  targets = ["image"]
}
