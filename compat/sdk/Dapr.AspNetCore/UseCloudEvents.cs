using System.Text;
using System.Text.Json;
using Dapr;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dapr
{
    /// <summary>How CloudEvents are opened.</summary>
    public class CloudEventsMiddlewareOptions
    {
        /// <summary>Leaves text data in its JSON quotes.</summary>
        public bool SuppressJsonDecodingOfTextPayloads { get; set; }

        /// <summary>Adds the event's attributes as headers <c>Cloudevent.{name}</c>.</summary>
        public bool ForwardCloudEventPropertiesAsHeaders { get; set; }

        /// <summary>Only these attributes are forwarded.</summary>
        public string[]? IncludedCloudEventPropertiesAsHeaders { get; set; }

        /// <summary>These attributes are not forwarded.</summary>
        public string[]? ExcludedCloudEventPropertiesFromHeaders { get; set; }
    }
}

namespace Microsoft.AspNetCore.Builder
{
    /// <summary>Opens CloudEvents, so that endpoints see the data alone.</summary>
    public static class DaprApplicationBuilderExtensions
    {
        public static IApplicationBuilder UseCloudEvents(this IApplicationBuilder builder) =>
            builder.UseCloudEvents(new CloudEventsMiddlewareOptions());

        public static IApplicationBuilder UseCloudEvents(
            this IApplicationBuilder builder, CloudEventsMiddlewareOptions options)
        {
            ArgumentNullException.ThrowIfNull(builder);
            ArgumentNullException.ThrowIfNull(options);
            return builder.Use(next => http => CloudEvents.OpenAsync(http, next, options));
        }
    }
}

namespace Dapr
{
    /// <summary>Replaces an <c>application/cloudevents+json</c> body by its data, and the content type by the data's.</summary>
    internal static class CloudEvents
    {
        private const string ContentType = "application/cloudevents+json";
        private const string JsonType = "application/json";

        // The data themselves, and what arrives as a header anyway.
        private static readonly string[] NeverForwarded =
            ["datacontenttype", "data", "data_base64", "pubsubname", "traceparent"];

        public static async Task OpenAsync(HttpContext http, RequestDelegate next, CloudEventsMiddlewareOptions options)
        {
            if (!MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var sent)
                || !sent.MediaType.Equals(ContentType, StringComparison.OrdinalIgnoreCase))
            {
                await next(http);
                return;
            }

            var envelope = await ReadAsync(http, sent.Encoding);
            if (envelope.ContainsKey("data") && envelope.ContainsKey("data_base64"))
            {
                http.Response.StatusCode = StatusCodes.Status400BadRequest;
                return;
            }

            Forward(http, envelope, options);
            var (body, type) = Data(envelope, options);
            var request = http.Request;
            var (originalBody, originalType) = (request.Body, request.ContentType);
            try
            {
                request.Body = new MemoryStream(body);
                request.ContentType = type;
                await next(http);
            }
            finally
            {
                request.ContentType = originalType;
                request.Body = originalBody;
            }
        }

        private static async Task<Dictionary<string, JsonElement>> ReadAsync(HttpContext http, Encoding? encoding)
        {
            using var reader = new StreamReader(http.Request.Body, encoding ?? Encoding.UTF8, leaveOpen: true);
            using var document = JsonDocument.Parse(await reader.ReadToEndAsync(http.RequestAborted));
            var envelope = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
            foreach (var attribute in document.RootElement.EnumerateObject())
            {
                envelope[attribute.Name] = attribute.Value.Clone();
            }

            return envelope;
        }

        private static (byte[] Body, string? ContentType) Data(
            Dictionary<string, JsonElement> envelope, CloudEventsMiddlewareOptions options)
        {
            var type = DataContentType(envelope, out var isJson);
            if (envelope.TryGetValue("data_base64", out var binary))
            {
                return (binary.GetBytesFromBase64(), type);
            }

            if (!envelope.TryGetValue("data", out var data))
            {
                return ([], null);
            }

            // What is no JSON has to be a string; anything else is JSON whatever the type says.
            var asJson = isJson || data.ValueKind != JsonValueKind.String || options.SuppressJsonDecodingOfTextPayloads;
            return (asJson ? JsonSerializer.SerializeToUtf8Bytes(data) : Encoding.UTF8.GetBytes(data.GetString()!), type);
        }

        // Always UTF-8 from here on, so a charset would be wrong.
        private static string DataContentType(Dictionary<string, JsonElement> envelope, out bool isJson)
        {
            isJson = true;
            if (!envelope.TryGetValue("datacontenttype", out var named) || named.ValueKind != JsonValueKind.String
                || !MediaTypeHeaderValue.TryParse(named.GetString(), out var type))
            {
                return JsonType;
            }

            isJson = type.MediaType.Equals(JsonType, StringComparison.OrdinalIgnoreCase)
                || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);
            if (!type.Charset.HasValue)
            {
                return named.GetString()!;
            }

            type.Charset = default;
            return type.ToString();
        }

        private static void Forward(
            HttpContext http, Dictionary<string, JsonElement> envelope, CloudEventsMiddlewareOptions options)
        {
            if (!options.ForwardCloudEventPropertiesAsHeaders)
            {
                return;
            }

            foreach (var (name, value) in envelope)
            {
                var wanted = options.IncludedCloudEventPropertiesAsHeaders is { } included
                    ? included.Contains(name, StringComparer.OrdinalIgnoreCase)
                    : options.ExcludedCloudEventPropertiesFromHeaders?.Contains(name, StringComparer.OrdinalIgnoreCase) != true;
                if (wanted && !NeverForwarded.Contains(name, StringComparer.OrdinalIgnoreCase))
                {
                    http.Request.Headers.TryAdd($"Cloudevent.{name.ToLowerInvariant()}", value.GetRawText().Trim('"'));
                }
            }
        }
    }
}
