using System.Globalization;
using System.Text;

namespace LocalPlus.Gateway;

/// <summary>
/// Writes nginx.conf: one upstream a backend, one pair of locations a path, problem documents for the rest.
/// </summary>
internal static class NginxConfig
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(5);

    public static string Write(IReadOnlyList<Route> routes, string listen, IReadOnlyDictionary<string, string> backends)
    {
        var conf = new StringBuilder(Head(listen));
        foreach (var backend in routes.Select(r => r.Backend).Distinct())
        {
            if (!backends.TryGetValue(backend, out var address))
            {
                throw new RouteException($"no --backend says where {backend} is");
            }

            // A single server is never marked as failed: the next request tries it again at once.
            conf.Append(
                CultureInfo.InvariantCulture,
                $$"""

                  upstream {{Name(backend)}} {
                    server {{address}} max_fails=0;
                    keepalive 256;
                    keepalive_requests 100000;
                    keepalive_timeout 60s;
                  }

                """
            );
        }

        conf.Append(Server(listen));
        // nginx takes an exact location before any prefix, and the longest of several prefixes; the order here is for
        // people.
        foreach (var route in routes.OrderByDescending(r => r.Path.Length).ThenBy(r => r.Path, StringComparer.Ordinal))
        {
            Location(conf, $"= {route.Path}", route);
            if (route.Match == PathMatch.Prefix)
            {
                Location(conf, route.Path == "/" ? "/" : $"{route.Path}/", route);
            }
        }

        if (!routes.Any(r => r is { Match: PathMatch.Prefix, Path: "/" }))
        {
            conf.Append(Nowhere);
        }

        return conf.Append("  }\n}\n").ToString();
    }

    private static void Location(StringBuilder conf, string path, Route route)
    {
        var read = Min(route.Request ?? DefaultTimeout, route.BackendRequest ?? DefaultTimeout);
        conf.Append(
            CultureInfo.InvariantCulture,
            $$"""

                location {{path}} {
                  proxy_pass http://{{Name(route.Backend)}};
                  proxy_read_timeout {{read.TotalMilliseconds}}ms;
                }

            """
        );
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static string Name(string backend) => backend.Replace(':', '_').Replace('-', '_');

    private static string Head(string listen) =>
        $$"""
            # Written by compat/gateway from the chart's HTTPRoutes for {{listen}}; changes here are lost.
            worker_processes 2;
            pid nginx.pid;
            error_log stderr warn;
            events {
              worker_connections 2048;
            }

            http {
              server_tokens off;
              default_type application/problem+json;
              types { }
              log_format line escape=json '$time_iso8601 $status $request_method $uri $request_time s $upstream_addr $lp_request_id $lp_traceparent';
              access_log /dev/stdout line buffer=16k flush=1s;
              keepalive_requests 100000;
              keepalive_timeout 75s;
              client_max_body_size 1m;
              client_body_buffer_size 1m;
              client_header_timeout 10s;
              client_body_timeout 10s;
              large_client_header_buffers 4 16k;
              # Bodies and answers stay in memory: workers may not write in a folder that only root may enter.
              client_body_temp_path body;
              proxy_temp_path proxy;
              fastcgi_temp_path fastcgi;
              uwsgi_temp_path uwsgi;
              scgi_temp_path scgi;
              proxy_max_temp_file_size 0;

              # A caller's request id is passed on when it is one; else nginx's own.
              map $http_x_request_id $lp_request_id {
                "~^[A-Za-z0-9._-]{1,128}$" $http_x_request_id;
                default $request_id;
              }
              # A request that belongs to no trace yet begins one here.
              map $request_id $lp_span {
                "~^(?<half>.{16})" $half;
              }
              map $http_traceparent $lp_traceparent {
                "" "00-$request_id-$lp_span-01";
                default $http_traceparent;
              }

            """;

    private static string Server(string listen) =>
        $$"""

          server {
            listen {{listen}} default_server;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Request-Id $lp_request_id;
            proxy_set_header traceparent $lp_traceparent;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            # What only a sidecar may say.
            proxy_set_header dapr-api-token "";
            proxy_set_header dapr-app-id "";
            proxy_set_header dapr-caller-app-id "";
            proxy_connect_timeout 1s;
            proxy_send_timeout 5s;
            # One backend a route: a second attempt is the caller's decision, who has an Idempotency-Key.
            proxy_next_upstream off;
            proxy_hide_header X-Request-Id;
            add_header X-Request-Id $lp_request_id always;

        {{Problem(400, "invalid_request", "The request is not valid HTTP.", "bad_request", false,
            "400 494 495 496 497")}}
        {{Problem(404, "not_found", "There is nothing at this path.", "not_found", false, "404")}}
        {{Problem(413, "body_too_large", "The body is larger than 1 MiB.", "too_large", false, "413")}}
        {{Problem(414, "invalid_request", "The address is too long.", "too_long", false, "414")}}
        {{Problem(503, "busy", "The service does not answer at the moment.", "busy", true, "500 502 503 504")}}
            location = /healthz {
              default_type text/plain;
              return 200 "ok\n";
            }

        """;

    private const string Nowhere = """

            location / {
              return 404;
            }

        """;

    /// <summary>
    /// An answer of the gateway's own, as the services would give it. At a place with a path and not with a name:
    /// nginx goes nowhere by name with a request whose address it could not read (%00 in it, or far too long), and
    /// would answer in HTML.
    /// </summary>
    private static string Problem(int status, string code, string title, string name, bool retryable, string replaces)
    {
        var retry = retryable
            ? "\n      add_header Retry-After 1 always;\n      add_header X-Request-Id $lp_request_id always;"
            : "";
        var page = $"    error_page {replaces} = {Place(name)};\n";
        var body =
            $$"""{"type":"https://docs.localplus.io/problems/{{code}}","title":"{{title}}","status":{{status}},"code":"{{code}}","request_id":"$lp_request_id","retryable":{{(retryable ? "true" : "false")}}}""";
        return $$"""
            {{page}}    location = {{Place(name)}} {
                  internal;{{retry}}
                  return {{status}} '{{body}}';
                }

            """;
    }

    /// <summary>Nothing from outside reaches an internal location, and no route of ours looks like it.</summary>
    private static string Place(string name) => $"/-/{name}";
}
