# The demo and the program `maintenance`, each in an image with nothing else in it.
#
#   docker build --target program -t maintenance .
#   docker run --rm -v shop:/var/lib/shop maintenance --store file:/var/lib/shop/maintenance.state status
#
#   docker build --target demo -t maintenance-demo .
#   docker run --rm --read-only -v demo:/state -p 8080:8080 maintenance-demo
FROM rust:1-trixie AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked --features cli,redis,postgres,object-store --bin maintenance \
    && cargo build --release --locked --example demo \
    && mkdir -p /out/state \
    && cp target/release/maintenance /out/ \
    && cp target/release/examples/demo /out/

# The C library, certificates and an account that is not root; no shell.
FROM gcr.io/distroless/cc-debian13:nonroot AS program
COPY --from=build /out/maintenance /usr/bin/maintenance
# nonroot, by its number, so that an orchestrator can see that it is not root.
USER 65532
ENTRYPOINT ["/usr/bin/maintenance"]

FROM gcr.io/distroless/cc-debian13:nonroot AS demo
COPY --from=build /out/demo /usr/bin/demo
# The state is all that it writes: the root may be read-only.
COPY --from=build --chown=nonroot:nonroot /out/state /state
WORKDIR /state
VOLUME /state
ENV DEMO_ADDR=0.0.0.0:8080
EXPOSE 8080
# nonroot, by its number, so that an orchestrator can see that it is not root.
USER 65532
ENTRYPOINT ["/usr/bin/demo"]
