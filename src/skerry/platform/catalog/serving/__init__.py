"""The chart repository that the platform is: every catalogue by Helm's own protocol, hosted ones to be pushed to."""
