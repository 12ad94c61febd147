using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Operations;

namespace LocalPlus.Ledger.Grpc;

/// <summary>gRPC: protobuf messages; a refusal is its code, its status and its detail, and becomes trailers.</summary>
internal sealed class GrpcDoor : Door
{
    public static readonly GrpcDoor Instance = new();

    public override string Name => "grpc";

    public override Answer Write(Result result)
    {
        IMessage message = result switch
        {
            Result.Posted posted => Messages.Response(posted.Transaction),
            Result.Spent spent => Messages.Response(spent),
            Result.Held held => Messages.Response(held.Hold, held.Book),
            _ => throw new UnreachableException(),
        };
        return new Answer(StatusCodes.Status200OK, message.ToByteArray());
    }

    public override Answer Refuse(FaultException refusal) =>
        new(
            refusal.Fault.Status,
            Encoding.UTF8.GetBytes($"{refusal.Fault.Code}\n{(refusal.Fault.Retryable ? 1 : 0)}\n{refusal.Detail}")
        );

    /// <summary>The message of an answer, or the refusal it is.</summary>
    public static TMessage Read<TMessage>(Answer answer, MessageParser<TMessage> parser)
        where TMessage : IMessage<TMessage>
    {
        if (answer.Status == StatusCodes.Status200OK)
        {
            return parser.ParseFrom(answer.Body);
        }

        var parts = Encoding.UTF8.GetString(answer.Body).Split('\n', 3);
        throw new FaultException(new Fault(parts[0], answer.Status, parts[2], parts[1] == "1"), parts[2]);
    }
}
