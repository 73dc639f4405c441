# A venue, or a keeper of one. Written for BuildKit; the build was not tried where this project is tested.
FROM python:3.12-slim AS build
WORKDIR /zlp
COPY constraints/venue.txt constraints/
RUN python -m venv /opt/zlp && /opt/zlp/bin/pip install --no-cache-dir --require-hashes -r constraints/venue.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/zlp/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.12-slim
COPY --from=build /opt/zlp /opt/zlp
RUN useradd --uid 1000 --create-home zlp && install -d -o zlp /venue /keys
USER zlp
ENV PATH=/opt/zlp/bin:$PATH
VOLUME /venue
EXPOSE 8420
ENTRYPOINT ["zlp"]
CMD ["node", "--data", "/venue", "--host", "0.0.0.0"]
