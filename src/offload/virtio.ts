// @hot
/**
 * struct virtio_net_hdr (include/uapi/linux/virtio_net.h), what a TUN with IFF_VNET_HDR puts before a packet:
 *
 *     0       1          2         4          6            8
 *     | flags | gso_type | hdr_len | gso_size | csum_start | csum_offset |    native order, so little-endian
 */
export const VIRTIO_SIZE = 10;
export const VIRTIO_FLAG = { NEEDS_CSUM: 1, DATA_VALID: 2 } as const;
export const GSO = { NONE: 0, TCPV4: 1, TCPV6: 4, UDP_L4: 5, ECN: 0x80 } as const;

export class VirtioHeader {
  flags = 0;
  gsoType: number = GSO.NONE;
  hdrLen = 0;
  gsoSize = 0;
  csumStart = 0;
  csumOffset = 0;

  read(view: DataView, offset: number): void {
    this.flags = view.getUint8(offset);
    this.gsoType = view.getUint8(offset + 1);
    this.hdrLen = view.getUint16(offset + 2, true);
    this.gsoSize = view.getUint16(offset + 4, true);
    this.csumStart = view.getUint16(offset + 6, true);
    this.csumOffset = view.getUint16(offset + 8, true);
  }

  write(view: DataView, offset: number): void {
    view.setUint8(offset, this.flags);
    view.setUint8(offset + 1, this.gsoType);
    view.setUint16(offset + 2, this.hdrLen, true);
    view.setUint16(offset + 4, this.gsoSize, true);
    view.setUint16(offset + 6, this.csumStart, true);
    view.setUint16(offset + 8, this.csumOffset, true);
  }

  clear(): void {
    this.flags = 0;
    this.gsoType = GSO.NONE;
    this.hdrLen = 0;
    this.gsoSize = 0;
    this.csumStart = 0;
    this.csumOffset = 0;
  }
}
