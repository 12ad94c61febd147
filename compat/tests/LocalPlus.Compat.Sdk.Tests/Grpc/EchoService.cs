using Grpc.Core;
using LocalPlus.Compat.Sdk.Tests.Grpc.V1;

namespace LocalPlus.Compat.Sdk.Tests.Grpc;

/// <summary>Does as the text says: "refuse" and "break" fail, "wait" ends only with the call, the rest is said back.</summary>
internal sealed class EchoService(EchoLog log) : Echo.EchoBase
{
    public override async Task<Words> Say(Words request, ServerCallContext context)
    {
        log.Headers = context.RequestHeaders;
        log.Deadline = context.Deadline;
        context.ResponseTrailers.Add("said", request.Text.Length.ToString());
        switch (request.Text)
        {
            case "refuse":
                throw new RpcException(
                    new Status(StatusCode.FailedPrecondition, "zu wenig: 30 € > 20 % 💶\n"),
                    new Metadata { { "why", "balance" }, { "proof-bin", [0, 255, 7] } });
            case "break":
                throw new InvalidOperationException("secret");
            case "status":
                context.Status = new Status(StatusCode.NotFound, "set, not thrown");
                break;
            case "wait":
                await WaitForTheEndAsync(context);
                break;
            case "headers":
                await context.WriteResponseHeadersAsync(new Metadata { { "early", "yes" }, { "raw-bin", [1, 2] } });
                break;
        }

        return request;
    }

    public override async Task Repeat(Words request, IServerStreamWriter<Words> responseStream, ServerCallContext context)
    {
        for (var i = 0; i < request.Times; i++)
        {
            await responseStream.WriteAsync(new Words { Text = request.Text, Times = i });
        }

        if (request.Text == "refuse")
        {
            throw new RpcException(new Status(StatusCode.Aborted, "enough"));
        }

        if (request.Text == "wait")
        {
            await WaitForTheEndAsync(context);
        }
    }

    public override async Task<Words> Join(IAsyncStreamReader<Words> requestStream, ServerCallContext context)
    {
        var all = new List<string>();
        while (await requestStream.MoveNext())
        {
            if (requestStream.Current.Text == "refuse")
            {
                throw new RpcException(new Status(StatusCode.InvalidArgument, "not that word"));
            }

            all.Add(requestStream.Current.Text);
        }

        return new Words { Text = string.Join(' ', all), Times = all.Count };
    }

    public override async Task Chat(
        IAsyncStreamReader<Words> requestStream, IServerStreamWriter<Words> responseStream, ServerCallContext context)
    {
        await foreach (var words in requestStream.ReadAllAsync(context.CancellationToken))
        {
            await responseStream.WriteAsync(words);
        }
    }

    private async Task WaitForTheEndAsync(ServerCallContext context)
    {
        log.Waiting.TrySetResult();
        await Task.Delay(Timeout.Infinite, context.CancellationToken)
            .ContinueWith(_ => log.Ended.TrySetResult(), TaskScheduler.Default);
        context.CancellationToken.ThrowIfCancellationRequested();
    }
}

/// <summary>What the service saw.</summary>
internal sealed class EchoLog
{
    public Metadata Headers { get; set; } = [];

    public DateTime Deadline { get; set; }

    public TaskCompletionSource Waiting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
