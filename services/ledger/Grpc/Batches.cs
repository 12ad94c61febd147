using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Operations;
using Proto = LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Ledger.Grpc;

/// <summary>
/// Operations that share a call. Each has its key and is asked and answered as if it had come alone: under the same
/// scope, with the same fingerprint, so a repeat may come either way. What goes wrong with one is its own outcome.
/// </summary>
internal static class Batches
{
    /// <summary>The request in one of the operations, with its key and how it is read.</summary>
    public static Asked Read(Proto.Operation operation) =>
        operation.OperationCase switch
        {
            Proto.Operation.OperationOneofCase.Spend => Ask(
                operation.Spend,
                operation.Spend.IdempotencyKey,
                Requests.Read
            ),
            Proto.Operation.OperationOneofCase.PostTransaction => Ask(
                operation.PostTransaction,
                operation.PostTransaction.IdempotencyKey,
                Requests.Read
            ),
            Proto.Operation.OperationOneofCase.ReverseTransaction => Ask(
                operation.ReverseTransaction,
                operation.ReverseTransaction.IdempotencyKey,
                Requests.Read
            ),
            Proto.Operation.OperationOneofCase.PlaceHold => Ask(
                operation.PlaceHold,
                operation.PlaceHold.IdempotencyKey,
                Requests.Read
            ),
            Proto.Operation.OperationOneofCase.CaptureHold => Ask(
                operation.CaptureHold,
                operation.CaptureHold.IdempotencyKey,
                Requests.Read
            ),
            Proto.Operation.OperationOneofCase.ReleaseHold => Ask(
                operation.ReleaseHold,
                operation.ReleaseHold.IdempotencyKey,
                Requests.Read
            ),
            Proto.Operation.OperationOneofCase.ExtendHold => Ask(
                operation.ExtendHold,
                operation.ExtendHold.IdempotencyKey,
                Requests.Read
            ),
            _ => throw Input.Invalid("operations", "has one that is none"),
        };

    /// <summary>What an operation came to.</summary>
    public static Proto.Outcome Outcome(Proto.Operation operation, Answer answer) =>
        operation.OperationCase switch
        {
            Proto.Operation.OperationOneofCase.Spend => new()
            {
                Spend = GrpcDoor.Read(answer, Proto.SpendResponse.Parser),
            },
            Proto.Operation.OperationOneofCase.PostTransaction
            or Proto.Operation.OperationOneofCase.ReverseTransaction => new()
            {
                Transaction = GrpcDoor.Read(answer, Proto.PostTransactionResponse.Parser),
            },
            _ => new() { Hold = GrpcDoor.Read(answer, Proto.HoldResponse.Parser) },
        };

    public static Proto.Outcome Refusal(Exception exception)
    {
        var refusal = exception as RpcException ?? exception.ToRpcException();
        return new()
        {
            Refusal = new()
            {
                Code = refusal.Trailers.GetValue(GrpcFaults.CodeTrailer),
                Detail = refusal.Status.Detail,
            },
        };
    }

    private static Asked Ask<TRequest>(TRequest request, string key, Func<TRequest, Operation> read)
        where TRequest : IMessage => new(request, key, () => read(request));

    internal readonly record struct Asked(IMessage Request, string Key, Func<Operation> Read);
}
