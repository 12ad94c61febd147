using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>Asks a process whether it does its work; the answer is null or what is wrong.</summary>
internal static class Probes
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);
    private static readonly HttpClient Http = new() { Timeout = Limit };

    public static async Task<string?> HttpAsync(int port, string path, string? daprToken, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}{path}");
            if (daprToken is not null)
            {
                request.Headers.Add("dapr-api-token", daprToken);
            }

            using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            return answer.IsSuccessStatusCode ? null : $"{path} answers {(int)answer.StatusCode}";
        }
        catch (HttpRequestException e)
        {
            return e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused }
                ? $"port {port} refuses"
                : e.Message;
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"{path} gives no answer in {Limit.TotalSeconds:0} s";
        }
    }

    /// <summary>The version that a running sidecar says it has; null when none answers.</summary>
    public static async Task<string?> SidecarVersionAsync(int port, string token, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}/v1.0/metadata");
            request.Headers.Add("dapr-api-token", token);
            using var answer = await Http.SendAsync(request, cancel);
            return (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))?["runtimeVersion"];
        }
        catch (Exception e)
            when (e is HttpRequestException or System.Text.Json.JsonException
                || (e is TaskCanceledException && !cancel.IsCancellationRequested)
            )
        {
            return null;
        }
    }

    /// <summary>Whether anything listens there.</summary>
    public static Task<string?> ConnectAsync(int port, CancellationToken cancel) =>
        LimitedAsync(port, (_, _) => Task.FromResult<string?>(null), cancel);

    /// <summary>Sends a line (or nothing) and looks at the beginning of what comes back.</summary>
    public static Task<string?> LineAsync(int port, string? send, string expected, CancellationToken cancel) =>
        LimitedAsync(
            port,
            async (stream, limited) =>
            {
                if (send is not null)
                {
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(send), limited);
                }

                var buffer = new byte[512];
                var read = await stream.ReadAsync(buffer, limited);
                var text = Encoding.ASCII.GetString(buffer, 0, read);
                return text.StartsWith(expected, StringComparison.Ordinal)
                    ? null
                    : $"answers {text.Split('\r', '\n')[0]}";
            },
            cancel
        );

    private static async Task<string?> LimitedAsync(
        int port,
        Func<NetworkStream, CancellationToken, Task<string?>> talk,
        CancellationToken cancel
    )
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limited.CancelAfter(Limit);
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, limited.Token);
            using var stream = client.GetStream();
            return await talk(stream, limited.Token);
        }
        catch (SocketException)
        {
            return $"port {port} refuses";
        }
        catch (IOException e)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"port {port} gives no answer in {Limit.TotalSeconds:0} s";
        }
    }
}
