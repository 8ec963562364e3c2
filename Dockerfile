# Builds the plugin in a container, with the script that `npm run plugin` runs too:
#
#   docker build --build-arg TIME=$(git log -1 --format=%ct) --tag romana-plugin .
#   container=$(docker create romana-plugin)
#   docker cp "$container:/plugin" plugin
#   docker rm "$container"
#   docker plugin create romana-net plugin
#
# With the same TIME every file is the same as from `npm run plugin`.

# Any image that has apt with Debian's packages, and npm 11. (The npm 9 of Debian 12 leaves out a part of the bundler.)
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install --yes --no-install-recommends binutils ca-certificates
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
# As lab/setup.sh does it, and for its reason.
RUN npm install --no-save
COPY . .
# Seconds since 1970.
ARG TIME=0
RUN node_modules/.bin/node lab/build-plugin.ts --time ${TIME}

FROM scratch
COPY --from=build /source/dist/plugin /plugin
# Not for running: `docker create` wants a command.
CMD ["/plugin/rootfs/bin/node"]
