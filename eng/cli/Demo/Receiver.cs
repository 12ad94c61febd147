using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>A merchant's program that takes webhooks, and knows which are genuine.</summary>
internal sealed class Receiver : IDisposable
{
    private const string SecretPrefix = "whsec_";
    private static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);
    private readonly HttpListener _http = new();
    private readonly ConcurrentDictionary<string, string> _taken = new(StringComparer.Ordinal);
    private byte[] _secret = [];
    private int _forged;

    private Receiver(string url)
    {
        Url = url;
        _http.Prefixes.Add(url);
    }

    public string Url { get; }

    /// <summary>Types of the events that came, each event once however often it came.</summary>
    public IReadOnlyCollection<string> Types => [.. _taken.Values];

    public int Forged => _forged;

    /// <summary>What it answers whatever comes, and then forgets what came; null: what is right.</summary>
    public int? Answers { get; set; }

    public static Receiver Start()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        var receiver = new Receiver($"http://127.0.0.1:{port}/hook/");
        receiver._http.Start();
        _ = receiver.TakeAsync();
        return receiver;
    }

    /// <summary>The secret as its endpoint's answer showed it.</summary>
    public void Trust(string secret) => _secret = Convert.FromBase64String(secret[SecretPrefix.Length..]);

    public void Dispose() => _http.Close();

    private async Task TakeAsync()
    {
        while (_http.IsListening)
        {
            HttpListenerContext call;
            try
            {
                call = await _http.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            using var body = new MemoryStream();
            await call.Request.InputStream.CopyToAsync(body);
            var isGenuine = IsGenuine(call.Request, body.ToArray());
            if (isGenuine && Answers is null)
            {
                var told = JsonNode.Parse(body.ToArray())!;
                _taken[(string)told["id"]!] = (string)told["type"]!;
            }
            else if (!isGenuine)
            {
                Interlocked.Increment(ref _forged);
            }

            call.Response.StatusCode = Answers ?? (isGenuine ? 204 : 401);
            call.Response.Close();
        }
    }

    /// <summary>All that Standard Webhooks asks of a receiver.</summary>
    private bool IsGenuine(HttpListenerRequest request, byte[] body)
    {
        var (id, timestamp) = (request.Headers["webhook-id"], request.Headers["webhook-timestamp"]);
        if (
            !long.TryParse(timestamp, CultureInfo.InvariantCulture, out var seconds)
            || (DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(seconds)).Duration() > Tolerance
        )
        {
            return false;
        }

        byte[] signed = [.. Encoding.ASCII.GetBytes($"{id}.{timestamp}."), .. body];
        var expected = Encoding.ASCII.GetBytes($"v1,{Convert.ToBase64String(HMACSHA256.HashData(_secret, signed))}");
        return (request.Headers["webhook-signature"] ?? "")
            .Split(' ')
            .Any(signature => CryptographicOperations.FixedTimeEquals(expected, Encoding.ASCII.GetBytes(signature)));
    }
}
