# A venue, or a keeper of one: docker build -t zlp . && docker run --rm -it --init -p 127.0.0.1:8420:8420 zlp up --host 0.0.0.0
# PYTHON: any image that has Python 3.11 or newer with venv and pip as `python`. Built and run with buildah and podman
# on a base made of Debian 12; never with Docker itself.
ARG PYTHON=python:3.12-slim
FROM ${PYTHON} AS build
WORKDIR /zlp
COPY constraints/venue.txt constraints/
RUN python -m venv /opt/zlp && /opt/zlp/bin/pip install --no-cache-dir --require-hashes -r constraints/venue.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/zlp/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${PYTHON}
RUN useradd --uid 1000 --create-home zlp && install -d -o zlp -g zlp /venue && install -d -o zlp -g zlp -m 700 /keys
COPY --from=build /opt/zlp /opt/zlp
USER zlp
ENV PATH=/opt/zlp/bin:$PATH
WORKDIR /venue
VOLUME /venue
EXPOSE 8420
ENTRYPOINT ["zlp"]
CMD ["node", "--host", "0.0.0.0", "--data", "/venue"]
